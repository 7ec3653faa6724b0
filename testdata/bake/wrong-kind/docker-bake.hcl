target "default" { tags = "app" }
