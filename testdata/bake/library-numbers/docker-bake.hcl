target "default" {
  args = {
    absolute = absolute(-3)
    add = add(1, 2)
    ceil = ceil(1.2)
    divide = divide(7, 2)
    floor = floor(1.8)
    greater = greaterthan(2, 1)
    int = int(-1.9)
    log = log(8, 2)
    max = max(1, 5, 3)
    min = min(4, 2)
    modulo = modulo(7, 3)
    multiply = multiply(3, 4)
    negate = negate(2)
    parseint = parseint("ff", 16)
    pow = pow(2, 10)
    signum = signum(-9)
    subtract = subtract(1, 3)
    large = 12345678901
    fraction = 1 / 4
    and = and(true, false)
    or = or(true, false)
    not = not(true)
    same = equal("1", 1)
    other = notequal(1, 1)
    less = lessthanorequalto(1, 1)
  }
}
