// The calls, by row: the oldest is row 0.

// Every field, in the command's order, with the word that heads its column.
const FIELDS = {
  event_time: "Time (UTC)",
  notebook: "Notebook",
  status: "Status",
  event_name: "Event",
  event_source: "Service",
  aws_region: "Region",
  source_ip_address: "Address",
  error_code: "Error",
  account_id: "Account",
  session_name: "Session",
  role_arn: "Role",
  access_key_id: "Access key",
  user_agent: "User agent",
  vpc_endpoint_id: "VPC endpoint",
  source_identity: "Source identity",
  resources: "Resources",
  event_id: "Event id",
  event_category: "Event category",
  user_profile: "User profile",
  on_behalf_of: "On behalf of",
  via: "Via",
  likely_notebook: "Likely notebook (no proof)",
  likely_evidence: "Evidence for that",
};

/** Take away the fields that weren't asked for. */
function dropFieldsNotThere() {
  for (const name of ["likely_notebook", "likely_evidence"]) if (!byId(`column-${name}`)) delete FIELDS[name];
}

class Calls {
  constructor(head) {
    dropFieldsNotThere();
    this.length = head.held;
    this.lanes = head.lanes;
    this.columns = {};
    for (const name of Object.keys(FIELDS)) {
      const Kind = { event_time: TimeColumn, event_id: IdColumn }[name] ?? TextColumn;
      this.columns[name] = new Kind(name, this.length);
    }
    this.seconds = this.columns.event_time.seconds;
    this.lane = readNumbers(bytesOf(embeddedJson("column-lane").rows), new Uint16Array(this.length));
    this.services = this.columns.event_source;
    this.errors = this.columns.error_code.codes;
    this.#pairEvents();
  }

  /** One of a call's fields, null where it has none. */
  field(name, row) {
    return this.columns[name].text(row);
  }

  /** Whether a call stands in a lane, or in a part of it. */
  isInLane(row, at) {
    return this.lane[row] === at || this.lanes[this.lane[row]].part_of === at;
  }

  /** What was called: s3:GetObject. */
  event(row) {
    return this.eventTexts[this.events[row]];
  }

  /** The first row not before a time. */
  firstRow(seconds) {
    let [low, high] = [0, this.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.seconds[middle] < seconds) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  rowOf(eventId) {
    const { event_id: ids } = this.columns;
    for (let row = 0; row < this.length; row += 1) if (ids.text(row) === eventId) return row;
    return -1;
  }

  /** Number the pairs of service and event. */
  #pairEvents() {
    const names = this.columns.event_name;
    const codes = new Map();
    this.eventTexts = [];
    this.serviceOfEvent = [];
    this.events = new Uint32Array(this.length);
    for (let row = 0; row < this.length; row += 1) {
      const [service, name] = [this.services.codes[row], names.codes[row]];
      const pair = service * names.texts.length + name;
      let code = codes.get(pair);
      if (code === undefined) {
        code = this.eventTexts.push(`${shortSource(this.services.texts[service])}:${names.texts[name]}`) - 1;
        this.serviceOfEvent.push(service);
        codes.set(pair, code);
      }
      this.events[row] = code;
    }
  }
}
