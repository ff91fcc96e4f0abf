/** What is used of fft.js, which has no types of its own. */
declare module 'fft.js' {
  export default class FFT {
    /** For so many values, a power of two from 2. */
    constructor(size: number);
    readonly size: number;
    /** Real and imaginary parts, in turn. */
    createComplexArray(): number[];
    /** The first half of the transform of real values, and one line more. */
    realTransform(out: number[], data: readonly number[]): void;
  }
}
