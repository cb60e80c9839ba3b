/** What the page shows under one address. */

export interface View {
  readonly title: string;
  readonly content: readonly HTMLElement[];
  /** Ends what the view follows. */
  close?(): void;
}
