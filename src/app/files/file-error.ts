// A file the user named that cannot be used: the message names it and the remedy.
export class FileError extends Error {
  override readonly name = 'FileError';
}
