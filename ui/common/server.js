// Calls of the `server` functions of a gr.HTML, which throw if there is no response; gradio only warns.
export const throwing = (server) =>
  async function call(name, request) {
    const response = await server[name](request);
    if (response === undefined) throw new Error(`no response to ${name}`);
    return response;
  };
