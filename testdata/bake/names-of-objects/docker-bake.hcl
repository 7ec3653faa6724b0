variable "constructor" { default = "x" }
target "default" {
  args = { constructor = constructor, toString = "y", __proto__ = "z" }
}
