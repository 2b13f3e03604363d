import "../style/base.css";
import "../style/bar.css";
import "../style/help.css";
import "../style/forms.css";
import "../style/pilot.css";
import "../style/flights.css";
import "../style/access.css";
import { nextAddress } from "../access/gone";
import { startDoor } from "../access/start";
import { LoginPage } from "./page";

void startDoor((root, me) => {
  // Who has an account and comes here has pressed "back": there is nothing to be asked.
  if (me.kind === "person")
    window.location.replace(nextAddress(window.location.search, window.location.origin));
  else new LoginPage(root, me);
});
