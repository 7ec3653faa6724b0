variable "TAG" {
  default = "latest"
}
variable "REPO" {
  default = "registry.example/${TAG}"
}
variable "EMPTY" {}
target "default" {
  tags = ["${REPO}/app:${TAG}", TAG, EMPTY]
}
