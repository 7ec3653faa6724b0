target "default" {
  name = item.name
  matrix = {
    item = [{ name = "a", base = "alpine" }, { name = "b", base = "debian" }]
  }
  args = { BASE = item.base }
}
