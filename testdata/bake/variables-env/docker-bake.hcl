variable "TAG" { default = "latest" }
OTHER = "kept"
target "default" {
  tags = ["app:${TAG}"]
  args = { OTHER = OTHER }
}
