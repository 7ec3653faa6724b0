target "app" {
  name = "app-${kind}-${replace(version, ".", "-")}"
  matrix = {
    kind    = ["full", "slim"]
    version = ["1.0", "2.0"]
  }
  target = kind
  args   = { VERSION = version }
  tags   = ["app:${version}-${kind}"]
}
