/** The polynomial of CRC-32 (RFC 1952), lowest bit first. */
const polynomial = 0xedb88320;
/** x to the power of 1 modulo the polynomial: bit 31 stands for x to the power of 0. */
const x1 = 0x40000000;
const one = 0x80000000;

/** Combines the CRC-32 of two pieces to that of both together, for second pieces of one length in bytes. */
export function crcCombiner(secondLength: number): (first: number, second: number) => number {
  const shift = powerOfX(8 * secondLength);
  return (first, second) => (multiply(shift, first) ^ second) >>> 0;
}

/** x to the power of `bits`, by squaring. */
function powerOfX(bits: number): number {
  let result = one;
  let square = x1;
  for (let left = bits; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result = multiply(result, square);
    square = multiply(square, square);
  }
  return result;
}

/** The product of two polynomials over GF(2), modulo the polynomial of CRC-32. */
function multiply(a: number, b: number): number {
  let product = 0;
  let factor = b;
  for (let bit = one; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) product ^= factor;
    factor = (factor & 1) !== 0 ? (factor >>> 1) ^ polynomial : factor >>> 1;
  }
  return product >>> 0;
}
