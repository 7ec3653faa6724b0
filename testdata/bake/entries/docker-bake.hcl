target "default" {
  cache-from = ["user/app:cache", "type=local,src=cache", { type = "s3", bucket = "b", region = "r" }]
  cache-to   = ["type=registry,\"ref=a,b\",mode=max"]
  output     = ["out", { type = "image", name = "x", push = true }, ""]
  secret     = ["id=a,src=a.txt", "type=env,id=B", { id = "c", env = "C" }]
  ssh        = ["default", "key=a,b", { id = "k", paths = ["p"] }]
  attest     = ["type=sbom", { type = "provenance", mode = "max" }, "type=sbom,disabled=true"]
}
