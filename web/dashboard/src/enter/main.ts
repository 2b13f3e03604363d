import "../style/base.css";
import "../style/bar.css";
import "../style/help.css";
import "../style/forms.css";
import "../style/pilot.css";
import "../style/flights.css";
import "../style/access.css";
import { startDoor } from "../access/start";
import { EnterPage } from "./page";

const token = decodeURIComponent(window.location.pathname.split("/")[2] ?? "");
void startDoor((root, me) => void new EnterPage(root, me, token).look());
