target "default" {
  name   = "t-${x}-${y}-${z}"
  matrix = { x = range(1000), y = range(1000), z = range(1000) }
}
