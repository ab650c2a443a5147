/**
 * Every page's script: small, and nothing depends on it. The editor is loaded when it is asked for.
 *
 *   [data-theme-toggle]         a button: light, dark, as the system says (kept in this browser)
 *   "?" shows what the keyboard does
 *   input[type=search][name=q]  "/" goes there; titles are suggested while typing
 *   [data-switch], Ctrl-K, ⌘K   the quick switcher, which is loaded then
 *   details[data-menu]          closes on Escape and outside clicks
 *   time[datetime][data-relative], [data-copy], a link or button [data-edit], ?edit=1, key "e"
 *   [data-similar] in a form with a title, [data-related]   what is like it, loaded when there is one
 *   checkboxes in a page that its reader may edit
 *   [data-making]                how far a ZIP is that is being made
 *   <gs-history>, [data-talk]   the history of a page; what people say about it: loaded where they are
 */

import { copyButtons, keysHelp, menus, relativeTimes, shortcuts } from "./page";
import { quickSwitcher } from "./quick";
import { searchSuggestions } from "./suggestions";
import { similar } from "./similar-start";
import { theme } from "./theme";
import { editButtons } from "./start-editing";
import { checkboxes } from "./checkboxes";
import { makingOfPage } from "./making-start";
import { pastOfPage } from "./past";
import { talkOfPage } from "./talk-start";

for (const start of [theme, menus, shortcuts, keysHelp, quickSwitcher, searchSuggestions, relativeTimes, copyButtons, checkboxes, editButtons, similar, makingOfPage, pastOfPage, talkOfPage]) {
  start();
}
