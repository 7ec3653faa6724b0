variable "TAG" {
  default = "latest"
  validation {
    condition     = TAG != ""
    error_message = "give it a value"
  }
  validation {
    condition     = TAG != "latest"
    error_message = "${TAG} moves"
  }
}
target "default" { tags = [TAG] }
