/** Rich text becomes Markdown when it is pasted. Works on a parsed document; runs no script. */

const SKIPPED = new Set(["SCRIPT", "STYLE", "TEMPLATE", "HEAD", "META", "LINK", "TITLE", "NOSCRIPT"]);
const MARKS: Readonly<Record<string, string>> = {
  B: "**",
  STRONG: "**",
  I: "*",
  EM: "*",
  S: "~~",
  DEL: "~~",
  STRIKE: "~~",
};
const BLOCKS =
  /^(ADDRESS|ARTICLE|ASIDE|BLOCKQUOTE|BODY|DD|DIV|DL|DT|FIGCAPTION|FIGURE|FOOTER|H[1-6]|HEADER|HR|LI|MAIN|NAV|OL|P|PRE|SECTION|TABLE|TBODY|TD|TFOOT|TH|THEAD|TR|UL)$/;

/** The Markdown that says what `root` shows; "" when it shows nothing. */
export function markdownOf(root: Element): string {
  return blocks(root).join("\n\n").replace(/\n{3,}/g, "\n\n").trim();
}

/** Whether rich text says more than its plain text: editors put plain code on the clipboard as HTML. */
export function isRich(root: Element): boolean {
  return (
    root.querySelector("a[href],b,strong,i,em,del,s,h1,h2,h3,h4,h5,h6,ul,ol,table,blockquote,img,pre,code") !==
      null && root.querySelector("[data-pm-slice],.cm-line") === null
  );
}

function blocks(parent: Element): string[] {
  const found: string[] = [];
  let line = "";
  const flush = () => {
    const text = tidy(line);
    if (text !== "") found.push(text);
    line = "";
  };
  for (const node of parent.childNodes) {
    if (isElement(node) && isBlock(node)) {
      flush();
      found.push(...block(node));
    } else line += inline(node);
  }
  flush();
  return found;
}

function block(element: Element): string[] {
  const { tagName } = element;
  if (SKIPPED.has(tagName)) return [];
  if (/^H[1-6]$/.test(tagName)) {
    const text = tidy(inlineOf(element)).replace(/\n/g, " ");
    return text === "" ? [] : [`${"#".repeat(Number(tagName[1]))} ${text}`];
  }
  switch (tagName) {
    case "HR":
      return ["---"];
    case "PRE":
      return [fence(element)];
    case "BLOCKQUOTE":
      return [blocks(element).join("\n\n").replace(/^/gm, "> ").replace(/^> $/gm, ">")];
    case "UL":
    case "OL":
      return [list(element)].filter((text) => text !== "");
    case "TABLE":
      return table(element);
    default:
      return blocks(element);
  }
}

function list(element: Element): string {
  const isOrdered = element.tagName === "OL";
  let number = Number(element.getAttribute("start") ?? 1) || 1;
  const items: string[] = [];
  for (const item of element.children) {
    if (item.tagName === "UL" || item.tagName === "OL") {
      items.push(list(item).replace(/^/gm, "  ")); // some editors nest lists without an item
      continue;
    }
    if (item.tagName !== "LI") continue;
    const box = item.querySelector("input[type=checkbox]");
    const task = box === null ? "" : box.hasAttribute("checked") ? "[x] " : "[ ] ";
    const mark = isOrdered ? `${number++}. ` : "- ";
    const inner = blocks(item).join("\n").replace(/\n/g, `\n${" ".repeat(mark.length)}`);
    items.push(mark + task + inner);
  }
  return items.join("\n");
}

function table(element: Element): string[] {
  const rows = [...element.querySelectorAll("tr")].map((row) => [...row.children].map(cell));
  const columns = Math.max(0, ...rows.map((row) => row.length));
  if (columns === 0) return [];
  if (columns === 1 && rows.length === 1) return blocks(element.querySelector("td,th") ?? element);
  const line = (row: string[]) =>
    `| ${Array.from({ length: columns }, (_, index) => row[index] ?? "").join(" | ")} |`;
  const [head = [], ...body] = rows;
  return [[line(head), `|${" --- |".repeat(columns)}`, ...body.map(line)].join("\n")];
}

function cell(element: Element): string {
  return blocks(element).join(" ").replace(/\s*\n\s*/g, " ").replace(/\|/g, "\\|");
}

function fence(element: Element): string {
  const code = (element.textContent ?? "").replace(/\n$/, "");
  const longest = Math.max(2, ...[...code.matchAll(/`+/g)].map(([run]) => run.length));
  const named = element.querySelector("code")?.className ?? element.className;
  const language = /language-([\w+#-]+)/.exec(named)?.[1] ?? "";
  const ticks = "`".repeat(longest + 1);
  return `${ticks}${language}\n${code}\n${ticks}`;
}

function inlineOf(element: Element): string {
  return [...element.childNodes].map(inline).join("");
}

function inline(node: Node): string {
  if (node.nodeType === 3) return escapeText((node.nodeValue ?? "").replace(/[\s\u00a0]+/g, " "));
  if (!isElement(node) || SKIPPED.has(node.tagName)) return "";
  switch (node.tagName) {
    case "BR":
      return "\n";
    case "IMG":
      return picture(node);
    case "A":
      return link(node);
    case "CODE":
    case "TT":
    case "KBD":
      return code(node.textContent ?? "");
    case "INPUT":
      return "";
    default:
      return marked(node);
  }
}

/** `**words**`, with the spaces outside: Markdown does not take them inside. */
function marked(node: Element): string {
  const inner = inlineOf(node);
  const mark = isPlain(node) ? undefined : (MARKS[node.tagName] ?? markOfStyle(node));
  const text = inner.trim();
  if (mark === undefined || text === "" || text.includes("\n")) return inner;
  const [lead = ""] = /^\s*/.exec(inner) ?? [];
  const [trail = ""] = /\s*$/.exec(inner) ?? [];
  return `${lead}${mark}${text}${mark}${trail}`;
}

/** Google Docs wraps everything in a bold element that is not bold. */
function isPlain(node: Element): boolean {
  return /font-weight:\s*(normal|400)/.test(node.getAttribute("style") ?? "");
}

function markOfStyle(node: Element): string | undefined {
  const style = node.getAttribute("style") ?? "";
  if (/font-weight:\s*(bold|[6-9]00)/.test(style)) return "**";
  if (/font-style:\s*italic/.test(style)) return "*";
  return /text-decoration[^;]*line-through/.test(style) ? "~~" : undefined;
}

function link(node: Element): string {
  const text = tidy(inlineOf(node)).replace(/\n/g, " ");
  const address = node.getAttribute("href") ?? "";
  if (text === "" || !/^(https?:|mailto:|\/|#)/i.test(address)) return text;
  return `[${text}](${escapeAddress(address)})`;
}

function picture(node: Element): string {
  const address = node.getAttribute("src") ?? "";
  if (!/^(https?:|\/)/i.test(address)) return "";
  return `![${escapeText(node.getAttribute("alt") ?? "")}](${escapeAddress(address)})`;
}

function code(text: string): string {
  if (text.trim() === "") return text;
  if (!text.includes("`")) return `\`${text}\``;
  return `\`\` ${text} \`\``;
}

function escapeAddress(address: string): string {
  return address.replace(/[\s()<>]/g, (char) => encodeURIComponent(char).replace("(", "%28").replace(")", "%29"));
}

function escapeText(text: string): string {
  return text.replace(/[\\`*[\]]/g, "\\$&").replace(/(^|\s)_|_(?=\s|$)/g, (run) => run.replace("_", "\\_"));
}

/** One paragraph: spaces round its line breaks go, and nothing in it starts a list or heading. */
function tidy(line: string): string {
  return line
    .replace(/ *\n */g, "\n")
    .trim()
    .replace(/^(#{1,6} |[-+>] |\d+(?=[.)] ))/gm, (start) => (/\d/.test(start) ? `${start}\\` : `\\${start}`));
}

function isElement(node: Node): node is Element {
  return node.nodeType === 1;
}

function isBlock(element: Element): boolean {
  return BLOCKS.test(element.tagName) || [...element.children].some((child) => isBlock(child));
}
