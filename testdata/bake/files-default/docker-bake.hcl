variable "TAG" { default = "1" }
target "app" {
  args = { FROM_HCL = TAG }
}
