target "default" {
  args = {
    host = cidrhost("10.1.0.0/16", 258)
    last = cidrhost("10.1.0.0/16", -1)
    mask = cidrnetmask("10.0.0.0/12")
    subnet = cidrsubnet("10.1.2.0/24", 4, 15)
    subnets = jsonencode(cidrsubnets("10.1.0.0/16", 4, 4, 8, 4))
    six = cidrsubnet("fd00:fd12:3456:7890::/56", 16, 162)
    sixhost = cidrhost("fd00::/64", 34)
  }
}
