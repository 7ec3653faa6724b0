/** A file's text, put in when tsbuild is bundled; TypeScript has become JavaScript by then. */
declare module '*?raw' {
  const text: string;
  export default text;
}
