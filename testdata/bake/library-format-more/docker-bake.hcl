target "default" { tags = [format("%s", "a", "b")] }
