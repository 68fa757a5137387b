// The choices of an attack, which are part of its result: the fields of its next request.
const FIELDS = ["attacked", "norm", "target"];

export function attackFields(fold, explain) {
  const chosen = {};
  let chosenFor; // the data set of the target
  fold?.addEventListener("change", ({ target }) => {
    if (!FIELDS.includes(target.name)) return;
    chosen[target.name] = target.value;
    if (target.name === "target") chosenFor = target.form.dataset.dataset;
    explain(fold);
  });
  // A network may be hidden, or another data set chosen, after a choice.
  return ({ models, dataset }) => ({
    attacked: models.includes(chosen.attacked) ? chosen.attacked : "",
    norm: chosen.norm,
    target: dataset === chosenFor ? chosen.target : "",
  });
}
