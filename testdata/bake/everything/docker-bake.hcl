target "default" {
  description       = "all of it"
  extra-hosts       = { db = "10.0.0.1" }
  entitlements      = ["security.insecure"]
  call              = "check"
  ulimits           = ["nofile=1024:2048"]
  shm-size          = "64m"
  no-cache-filter   = ["a", "a", "b"]
  network           = "host"
  no-cache          = true
  pull              = false
  output            = ["type=docker"]
  platforms         = ["linux/amd64", "linux/arm64"]
  ssh               = ["default"]
  secret            = ["id=x,src=y"]
  target            = "final"
  cache-to          = ["type=inline"]
  cache-from        = ["a"]
  tags              = ["a", "", "a", "b"]
  labels            = { l = "$${x}" }
  args              = { A = "1", N = null }
  dockerfile-inline = "FROM scratch"
  dockerfile        = "D"
  contexts          = { c = "./c" }
  context           = "ctx"
  attest            = ["type=sbom"]
  annotations       = ["index:k=v"]
}
