import "../style/base.css";
import "../style/bar.css";
import "../style/help.css";
import "../style/forms.css";
import "../style/pilot.css";
import "../style/access.css";
import { onGone } from "../access/gone";
import { PrivacyPage } from "./page";

onGone(() => undefined); // it is for everybody
const root = document.getElementById("app");
if (root) void new PrivacyPage(root).renew();
