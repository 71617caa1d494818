const socket = new WebSocket(`wss://${location.host}/talk`);
const said = document.getElementById("said");
socket.onopen = () => said.dataset.state = "open";
socket.onmessage = (event) => {
  const line = document.createElement("li");
  line.textContent = event.data;
  said.prepend(line);
};
document.getElementById("talk").onsubmit = (event) => {
  event.preventDefault();
  const words = document.getElementById("words");
  if (words.value) socket.send(words.value);
  words.value = "";
};
