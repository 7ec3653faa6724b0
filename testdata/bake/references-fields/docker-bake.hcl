target "other" {
  cache-from = ["user/app:cache", "type=local,src=dir", { type = "s3", bucket = "b" }]
}
target "default" {
  cache-from = target.other.cache-from
  args = {
    TYPE  = target.other.cache-from[1].type
    NAME  = target.other.name
    UNSET = target.other.dockerfile == null
  }
  dockerfile = target.other.dockerfile
}
