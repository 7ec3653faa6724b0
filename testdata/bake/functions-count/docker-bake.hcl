target "default" { tags = [add(1)] }
