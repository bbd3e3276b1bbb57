/** At most so many characters; what a user's function or AWS says can be of any length, a row and a state cannot. */
export function shortened(text: string, max = 500): string {
  return text.length <= max ? text : `${text.slice(0, max - 1)}…`;
}
