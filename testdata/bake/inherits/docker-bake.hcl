target "a" {
  args = { A = "a", SHARED = "a", GONE = "a" }
  tags = ["a"]
  labels = { "org.example/source" = "a" }
  platforms = ["linux/amd64"]
  cache-from = ["type=registry,ref=a"]
  annotations = ["one=1"]
}
target "b" {
  inherits = ["a"]
  args = { SHARED = "b" }
  tags = ["b"]
  cache-from = ["type=registry,ref=b"]
}
target "c" {
  args = { C = "c" }
  cache-to = ["type=inline"]
}
target "default" {
  inherits = ["b", "c"]
  args = { SHARED = "mine", GONE = null }
  cache-from = ["type=registry,ref=a"]
  cache-to = ["type=registry,ref=mine"]
  annotations = ["two=2"]
}
