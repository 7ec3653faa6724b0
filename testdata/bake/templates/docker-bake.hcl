variable "NAMES" { default = ["a", "b"] }
target "default" {
  args = {
    plain   = "a\tb \"quoted\" \u00e9 \\"
    escaped = "$${NOT} %%{not} $HOME"
    if      = "%{ if length(NAMES) > 1 }many%{ else }few%{ endif }"
    unless  = "[%{ if false }x%{ endif }]"
    for     = "%{ for i, name in NAMES }${i}=${name};%{ endfor }"
    strip   = "x   ${~ NAMES[0] ~}   y"
    number  = "${1 + 1}"
    inner   = "${join("-", ["${NAMES[0]}x", "y"])}"
  }
}
