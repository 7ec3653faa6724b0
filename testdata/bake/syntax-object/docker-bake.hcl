target "default" { args = { A = 1 B = 2 } }
