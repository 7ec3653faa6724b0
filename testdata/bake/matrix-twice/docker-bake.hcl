target "app" {
  name = "x"
  matrix = { v = ["1", "2"] }
}
