/** What leaves the house and does not get there: to TAK, or a feed to other programs. */

import { translate, type Language } from "../catalogue";
import { h } from "../dom";
import type { Output } from "./api";

/** One sentence for each address that gets nothing; [] while nothing is known to be wrong. */
export const outputSentences = (language: Language, outputs: readonly Output[]): string[] =>
  outputs
    .filter(({ detail }) => detail)
    .map(({ kind, feed, to }) => translate(language, `output.${kind}`, { feed, to }));

export class OutputNews {
  readonly element = h("div", { class: "forward outputs", role: "status", hidden: true });

  show(language: Language, outputs: readonly Output[]): void {
    const sentences = outputSentences(language, outputs);
    this.element.hidden = sentences.length === 0;
    if (this.element.textContent !== sentences.join(""))
      this.element.replaceChildren(...sentences.map((sentence) => h("p", {}, sentence)));
  }
}
