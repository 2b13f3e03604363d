import "../style/base.css";
import "../style/bar.css";
import "../style/help.css";
import "../style/forms.css";
import "../style/pilot.css";
import "../style/flights.css";
import "../style/access.css";
import { startDoor } from "../access/start";
import { takenFromAddress } from "./address";
import { WelcomePage } from "./page";

const token = takenFromAddress(window.location, window.history);
void startDoor((root) => void new WelcomePage(root, token).look());
