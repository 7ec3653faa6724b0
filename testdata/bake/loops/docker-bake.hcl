variable "MAP" { default = { b = 2, a = 1 } }
target "default" {
  tags = [for name, value in MAP : "app:${name}${value}"]
  args = {
    odd    = join(",", [for i, v in ["x", "y", "z"] : v if i % 2 == 0])
    object = jsonencode({ for k, v in MAP : upper(k) => v * 2 })
    groups = jsonencode({ for w in ["ab", "ac", "b"] : substr(w, 0, 1) => w... })
    nested = join(" ", [for i in range(2) : join("", [for j in range(2) : "${i}${j}"])])
  }
}
