variable "MAP" { type = map(number) }
variable "TUPLE" { type = tuple([number, string]) }
variable "SET" { type = set(string) }
variable "QUOTED" { type = list(string) }
variable "BOTH" { type = list(number) }
variable "OWN" { type = list(number) }
variable "OWN_JSON" { type = list(number) }
target "default" {
  args = {
    MAP    = jsonencode(MAP)
    TUPLE  = format("%d %s", TUPLE...)
    SET    = jsonencode(SET)
    QUOTED = jsonencode(QUOTED)
    BOTH   = jsonencode(BOTH)
    OWN    = jsonencode(OWN)
    OTHER  = jsonencode(OWN_JSON)
  }
}
