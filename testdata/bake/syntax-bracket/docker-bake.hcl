target "default" {
  tags = ["a"
}
