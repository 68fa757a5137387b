// The visitor's game, in this browser until the tab is closed.
import { ROUNDS, checked, encode, parse } from "./game_link.js";

const STORE = "lineup.game";

export function save(game, tables) {
  if (!game) return;
  const { index, before, playing, points, codes } = game;
  const text = encode(game, tables[game.dataset]);
  try {
    sessionStorage.setItem(STORE, JSON.stringify({ text, index, before, playing, points, codes }));
  } catch {} // kept until the page is left
}

const isWithin = (number, most) => Number.isInteger(number) && number >= 0 && number <= most;

// The game with the place where it was left. Throws if it is damaged.
function read({ text, index, before, playing, points, codes }, tables) {
  const game = parse(text, tables);
  const arePoints = Array.isArray(points) && points.length === ROUNDS && points.every((each) => isWithin(each, 100));
  const areNames = Array.isArray(before) && before.every((name) => typeof name === "string");
  if (!isWithin(index, ROUNDS) || !arePoints || !areNames || !Array.isArray(codes)) throw new Error("damaged");
  return { ...game, index, before, playing: playing === true && index < ROUNDS, points, codes: checked(codes) };
}

// Null without one, and for one that is damaged, or has other networks or classes than those of now.
export function saved(tables) {
  try {
    return read(JSON.parse(sessionStorage.getItem(STORE)), tables);
  } catch {
    return null;
  }
}
