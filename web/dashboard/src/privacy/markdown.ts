/** The notice's Markdown as elements: headings, paragraphs, lists, bold, links. Nothing of it is taken as HTML. */

import { h } from "../dom";

/** One piece of text within a line. */
export type Span = { text: string; bold?: boolean; href?: string };

export type Block =
  | { kind: "heading"; level: 2 | 3 | 4; spans: Span[] }
  | { kind: "paragraph"; spans: Span[] }
  | { kind: "list"; isNumbered: boolean; items: Span[][] };

const INLINE = /\*\*(.+?)\*\*|\[([^\]]+)\]\(([^)\s]+)\)|<((?:https?:\/\/|mailto:)[^>\s]+)>/g;

/** Only what leads to a page or a mailbox is a link. */
const isSafe = (href: string): boolean => /^(https?:\/\/|mailto:|\/(?!\/))/.test(href);

export function spansOf(line: string): Span[] {
  const spans: Span[] = [];
  let at = 0;
  for (const found of line.matchAll(INLINE)) {
    if (found.index > at) spans.push({ text: line.slice(at, found.index) });
    const [whole, bold, text, href, address] = found;
    if (bold !== undefined) spans.push({ text: bold, bold: true });
    else if (href !== undefined) spans.push(isSafe(href) ? { text: text ?? "", href } : { text: whole });
    else spans.push({ text: (address ?? "").replace(/^mailto:/, ""), href: address ?? "" });
    at = found.index + whole.length;
  }
  if (at < line.length) spans.push({ text: line.slice(at) });
  return spans;
}

/** Blocks of a text, in their order. Pure. */
export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  let paragraph: string[] = [];
  const end = (): void => {
    if (paragraph.length) blocks.push({ kind: "paragraph", spans: spansOf(paragraph.join(" ")) });
    paragraph = [];
  };
  for (const raw of markdown.split(/\r?\n/)) {
    const line = raw.trim();
    const heading = /^(#{1,6})\s+(.*)$/.exec(line);
    const item = /^(?:[-*+]|(\d+)[.)])\s+(.*)$/.exec(line);
    if (line === "") end();
    else if (heading) {
      end();
      const level = Math.min(4, (heading[1] ?? "").length + 1) as 2 | 3 | 4;
      blocks.push({ kind: "heading", level, spans: spansOf(heading[2] ?? "") });
    } else if (item) {
      end();
      takeItem(blocks, item[1] !== undefined, item[2] ?? "");
    } else if (/^\s/.test(raw) && !paragraph.length && continueItem(blocks, line)) continue;
    else paragraph.push(line);
  }
  end();
  return blocks;
}

function takeItem(blocks: Block[], isNumbered: boolean, text: string): void {
  const last = blocks.at(-1);
  if (last?.kind === "list" && last.isNumbered === isNumbered) last.items.push(spansOf(text));
  else blocks.push({ kind: "list", isNumbered, items: [spansOf(text)] });
}

/** An indented line goes on with the item above. */
function continueItem(blocks: Block[], line: string): boolean {
  const last = blocks.at(-1);
  if (last?.kind !== "list") return false;
  last.items.at(-1)?.push({ text: " " }, ...spansOf(line));
  return true;
}

export const draw = (markdown: string): HTMLElement[] => blocksOf(markdown).map(element);

function element(block: Block): HTMLElement {
  if (block.kind === "list")
    return h(
      block.isNumbered ? "ol" : "ul",
      {},
      ...block.items.map((spans) => h("li", {}, ...spans.map(inline))),
    );
  const name = block.kind === "heading" ? (`h${block.level}` as const) : "p";
  return h(name, {}, ...block.spans.map(inline));
}

function inline({ text, bold, href }: Span): Node | string {
  if (href) return h("a", { href, rel: "noreferrer" }, text);
  return bold ? h("strong", {}, text) : text;
}
