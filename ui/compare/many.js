// Several images at once, or a zip of them: compared a few at a time, so that the table grows while others have turns.
import { Failure, sentence, upload } from "../common/server.js";
import { say } from "../common/texts.js";

const modelsIn = (table) => [...table.querySelectorAll("th[data-model]")].map((head) => head.dataset.model).join();
const isZip = (file) => file.name.toLowerCase().endsWith(".zip");

export function many({ element, call, settings }) {
  const place = element.querySelector("#many");
  const [input, progress, status, summary, rows, save] = [
    "input", "progress", "[role=status]", ".many-summary", ".many-rows", ".many-save",
  ].map((each) => place.querySelector(each));
  const [most, batch] = [Number(place.dataset.most), Number(place.dataset.batch)];
  let version = 0; // grows with every choice of files

  // Appends the rows of a response.
  function append({ table }) {
    const template = document.createElement("template");
    template.innerHTML = table;
    const [fresh, body] = [template.content.firstElementChild, rows.querySelector("tbody")];
    if (!body) return void rows.append(fresh);
    if (modelsIn(fresh) !== modelsIn(rows)) throw new Failure("many.changed");
    body.append(...fresh.tBodies[0].rows);
  }

  // The response for a few images. Throws Failure, also where they are refused.
  async function answer(request) {
    const response = await call("compare_many", request);
    if (response.error) throw new Failure("failed.said", { why: response.error });
    return response;
  }

  function showProgress(done, count) {
    Object.assign(progress, { value: done, max: count });
    status.textContent = say("many.done", { done, count });
  }

  async function compareZip(file, options, isCurrent) {
    const zip = await upload(file);
    for (let [done, count] = [0, 1]; done < count && isCurrent(); ) {
      const response = await answer({ ...options, zip, start: done });
      if (!isCurrent()) return;
      append(response);
      ({ done, count } = response);
      showProgress(done, count);
    }
  }

  async function compareImages(files, options, isCurrent) {
    for (let start = 0; start < files.length && isCurrent(); start += batch) {
      const images = [];
      for (const file of files.slice(start, start + batch)) images.push({ file: file.name, upload: await upload(file) });
      const response = await answer({ ...options, images });
      if (!isCurrent()) return;
      append(response);
      showProgress(start + images.length, files.length);
    }
  }

  async function compare(files) {
    const mine = ++version;
    const [options, isCurrent] = [settings.all(), () => mine === version];
    summary.replaceChildren();
    rows.replaceChildren();
    save.hidden = true;
    progress.removeAttribute("value");
    progress.hidden = files.length > most;
    if (progress.hidden) return void (status.textContent = say("batch.many", { most }));
    status.textContent = "";
    try {
      if (files.length === 1 && isZip(files[0])) await compareZip(files[0], options, isCurrent);
      else await compareImages(files, options, isCurrent);
      const answers = [...rows.querySelectorAll("[data-answer]")].map((row) => JSON.parse(row.dataset.answer));
      const html = isCurrent() && (await call("sum_up", { ...options, answers }));
      if (!isCurrent()) return;
      summary.innerHTML = html;
      save.hidden = false;
      status.textContent = "";
    } catch (error) {
      if (isCurrent()) status.textContent = sentence(error);
    }
    if (isCurrent()) progress.hidden = true;
  }

  input.addEventListener("change", () => {
    const files = [...input.files];
    input.value = ""; // so that the same files can be chosen again
    if (files.length) compare(files);
  });
}
