target "default" { tags = [toString] }
