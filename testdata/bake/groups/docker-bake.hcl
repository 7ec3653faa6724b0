group "default" { targets = ["web", "more"] }
group "more" {
  description = "what else there is"
  targets     = ["web", "api", "db"]
}
target "web" {}
target "api" { description = "the server" }
target "db" {}
