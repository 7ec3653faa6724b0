target "default" { dockerfile = target.other.dockerfile }
target "other" { dockerfile = target.default.dockerfile }
