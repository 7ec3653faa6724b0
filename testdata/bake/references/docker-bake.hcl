target "base" {
  dockerfile = "base.Dockerfile"
  args       = { V = "1" }
}
group "all" { targets = ["base"] }
target "default" {
  dockerfile = target.base.dockerfile
  args       = { V = "${target.base.args.V}.2", G = group.all.targets[0] }
}
