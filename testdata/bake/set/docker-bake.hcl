target "app" {
  args = { A = "1", B = "2" }
  tags = ["old"]
  platforms = ["linux/amd64"]
  output = ["type=local,dest=out"]
}
target "app-dev" { inherits = ["app"] }
target "other" {}
group "default" { targets = ["app", "app-dev", "other"] }
