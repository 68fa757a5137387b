// `server` as gr.HTML gives it, but its functions throw where the server did not answer, of which gradio only warns.
export const answering = (server) =>
  async function ask(name, question) {
    const answer = await server[name](question);
    if (answer === undefined) throw new Error(`no answer to ${name}`);
    return answer;
  };
