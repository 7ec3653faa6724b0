target "default" {
  tags = [format("%2000000000d", 1)]
}
