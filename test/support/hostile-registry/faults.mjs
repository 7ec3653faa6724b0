// Which request goes wrong, and how. A fault is data:
//
//   { at: 'blob-get', times: 1, ...what }
//
// `at` is an operation of grammar.mjs, several of them, or `token` and `store` for the other two servers; `*` is any
// operation of the registry but `ping`. `times` says how often (default 1; `always`), `after` how many such requests go well
// before; `repository` and `name` (a tag or digest) limit it to one, `data` to requests with a body, `first` to the first
// request of each address. What happens: `status` with `headers` and `body` in place of the registry's answer (the
// request's body is read first, unless `early`; a 401 without `headers` has the challenge that the registry would send);
// `resetRequestAfter` (bytes of the request's body); `hangUp` (a reset before any answer); `stall` (no answer at all); and
// all that answers.mjs does to an answer.

/** The faults of one registry, which count what they did. */
export class Faults {
  #faults;

  constructor(faults) {
    this.#faults = faults.map((fault) => ({ times: 1, after: 0, ...fault, done: 0, seen: 0 }));
  }

  /** What goes wrong with this request; undefined where nothing does. */
  next(call) {
    const fault = this.#faults.find((one) => this.#isDue(one, call));
    if (fault !== undefined) fault.done += 1;
    return fault;
  }

  #isDue(fault, { op, repository, name, length, nth }) {
    const at = [fault.at].flat();
    if (!at.includes(op) && !(at.includes('*') && isOfRegistry(op))) return false;
    if (fault.repository !== undefined && fault.repository !== repository) return false;
    if (fault.name !== undefined && fault.name !== name) return false;
    if (fault.data && !(length > 0)) return false;
    if (fault.first && nth > 1) return false;
    if (fault.times !== 'always' && fault.done >= fault.times) return false;
    fault.seen += 1;
    return fault.seen > fault.after;
  }
}

function isOfRegistry(op) {
  return op !== 'ping' && op !== 'token' && op !== 'store';
}
