// The search. "Eq. (15)", "eq 15" and "15" mean the equation of that number, whose place has the name
// "Equation (15)"; "fig 3b" means "Fig. 3b". A place that is called what was asked for stands above pages
// that only use the words, a function of a chapter above its namesakes in core, and the functions behind
// the claims below all others. From a disk no page can be fetched: there the hits come without extracts.
const meant = (query) => {
  const equation = query.trim().match(/^(?:eqs?\.?|equations?)?\s*\(?\s*(E?\d+)\s*\)?$/i);
  const figure = query.trim().match(/^fig(?:ure|s)?\.?\s*(\d+[a-d]*)$/i);
  if (equation) return `Equation (${equation[1].toUpperCase()})`;
  return figure ? `Fig. ${figure[1].toLowerCase()}` : query;
};
const rank = ([, title, place, description, score]) => {
  if (description === null) return place ? score + 20 : score;
  if (title.includes(".claims.")) return score - 12;
  return title.includes(".core.") ? score : score + 1;
};
if (typeof Search !== "undefined") {
  const search = Search.performSearch;
  Search.performSearch = (query) => search(meant(query));
  Scorer.score = rank;
  if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
}
