// The visitor's game, in this browser until the tab is closed.
import { encode, parse } from "./game_link.js";

const STORE = "lineup.game";

export function save(game, tables) {
  if (!game) return;
  const { index, before, playing, points, codes } = game;
  const text = encode(game, tables[game.dataset]);
  try {
    sessionStorage.setItem(STORE, JSON.stringify({ text, index, before, playing, points, codes }));
  } catch {} // kept until the page is left
}

// Null without one, and for one with other networks or classes than those of now.
export function saved(tables) {
  try {
    const { text, ...rest } = JSON.parse(sessionStorage.getItem(STORE));
    return { ...parse(text, tables), ...rest };
  } catch {
    return null;
  }
}
