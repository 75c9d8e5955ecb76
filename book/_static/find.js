// The search. "Eq. (15)", "eq 15" and "15" mean the equation of that number, whose place has the name
// "Equation (15)". A place that is called what was asked for stands above pages that only use the words.
// From a disk no page can be fetched: there the hits come without extracts.
const meant = (query) => {
  const found = query.trim().match(/^(?:eqs?\.?|equations?)?\s*\(?\s*(E?\d+)\s*\)?$/i);
  return found ? `Equation (${found[1].toUpperCase()})` : query;
};
if (typeof Search !== "undefined") {
  const search = Search.performSearch;
  Search.performSearch = (query) => search(meant(query));
  Scorer.score = ([, , place, description, score]) => (place && description === null ? score + 20 : score);
  if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
}
