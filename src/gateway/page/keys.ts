/** A part of the status page's script: the keys, with their quotas. */

export const PAGE_KEYS: string = String.raw`
/** One limit as a bar. @param {string} whose */
function meterView(whose) {
  const name = make('span');
  const used = make('span', 'count');
  const bar = make('div', 'bar', [make('div')]);
  const model = make('p', 'meter-model quiet small');
  const back = make('p', 'quiet small');
  const root = make('div', 'meter', [make('div', 'meter-head small', [name, used]), bar, model, back]);
  mark(bar, 'role', 'meter');
  mark(bar, 'aria-valuemin', '0');
  return {
    root,
    /** @param {StatusLimit | undefined} limit @param {string} title @param {number} now */
    show(limit, title, now) {
      write(name, title);
      bar.hidden = limit === undefined;
      model.hidden = limit?.model === undefined;
      write(model, limit?.model ?? '');
      write(used, limit === undefined ? '' : count.format(limit.used) + ' / ' + count.format(limit.limit));
      if (limit === undefined) return write(back, 'no limit known');
      const { returnsAt } = limit;
      const isSpent = limit.used >= limit.limit;
      // In JSON, a moment that never comes is null.
      const comes = returnsAt !== undefined && returnsAt !== null;
      write(back, limit.used === 0 ? 'nothing spent' : comes ? 'back ' + coming(returnsAt, now) : 'not by waiting');
      bar.style.setProperty('--share', String(limit.limit > 0 ? limit.used / limit.limit : 1));
      mark(bar, 'data-spent', isSpent ? 'yes' : 'no');
      mark(bar, 'aria-label', title + ' quota of ' + whose + (limit.model === undefined ? '' : ', ' + limit.model));
      mark(bar, 'aria-valuemax', String(limit.limit));
      mark(bar, 'aria-valuenow', String(limit.used));
      const until = comes && limit.used > 0 ? ', back ' + moment(returnsAt, now) : '';
      mark(bar, 'aria-valuetext', limit.used + ' of ' + limit.limit + ' ' + limit.unit + ' used' + until);
    },
  };
}

/** The title of a limit. @param {StatusLimit | undefined} limit @param {string} otherwise */
function titleOf(limit, otherwise) {
  if (limit === undefined) return otherwise;
  const window = limit.window === 'at-once' ? 'At once' : capital(limit.window);
  return limit.unit === 'tokens' ? window + ', tokens' : window;
}

/** How a key stands, in a word and a tone. @param {StatusKey} key @returns {[Tone, string]} */
function standing(key) {
  if (key.disabled) return ['bad', 'Disabled'];
  if (key.ready) return key.breaker === 'half-open' ? ['wait', 'On probation'] : ['good', 'Ready'];
  if (key.breaker === 'open') return ['bad', 'Down'];
  return ['wait', key.breaker === 'half-open' ? 'Being probed' : 'Resting'];
}

const BREAKERS = {
  closed: 'breaker closed',
  open: 'breaker open',
  'half-open': 'breaker half-open, one call at a time tries it',
};

/** From when a key that is not ready can be used. @param {StatusKey} key @param {number} now */
function readyText(key, now) {
  if (key.ready) return '';
  const { readyAt } = key;
  if (readyAt === undefined || readyAt === null) return 'not by waiting';
  const verb = key.disabled ? 'retried ' : 'ready ';
  return readyAt <= now ? verb + 'any moment' : verb + coming(readyAt, now);
}

/** @param {StatusKey} key @param {number} now */
function panelLines(key, now) {
  const { lastError, latencyMs } = key;
  const lines = [
    'Account ' + key.account + (key.sharedBy > 1 ? ', shared by ' + key.sharedBy + ' keys: one quota for all of them' : ''),
  ];
  if (latencyMs !== undefined) lines.push('Answers take about ' + took(latencyMs));
  if (lastError === undefined) return [...lines, 'No failure yet'];
  const where = moment(lastError.at, now) + ', ' + lastError.model + ', ' + spoken(lastError.kind);
  return [...lines, 'Last failure: ' + where + ': ' + lastError.message];
}

/** What there is to know beside the row. @param {string} whose */
function panelView(whose) {
  const list = make('ul');
  const facts = make('div', 'small quiet');
  const root = make('div', 'key-panel', [facts, list]);
  root.hidden = true;
  /** @type {Map<string, ReturnType<typeof modelView>>} */
  const views = new Map();
  return {
    root,
    /** @param {StatusKey} key @param {number} now */
    show(key, now) {
      const lines = panelLines(key, now);
      while (facts.children.length > lines.length) facts.lastChild?.remove();
      while (facts.children.length < lines.length) facts.append(make('p', 'said'));
      lines.forEach((line, index) => write(facts.children[index], line));
      // What the row shows already is not said twice, unless it is one model's among others'.
      const shown = [key.minute, key.day].map((limit) => JSON.stringify(limit));
      const others = key.spent.filter((limit) => !shown.includes(JSON.stringify(limit)));
      const models = new Map();
      for (const limit of key.spent) {
        if (limit.model === undefined ? !others.includes(limit) : others.length === 0) continue;
        const model = limit.model ?? 'All models';
        models.set(model, [...(models.get(model) ?? []), limit]);
      }
      list.hidden = models.size === 0;
      reconcile(list, views, [...models], { now, make: (limits) => modelView(limits, whose) });
    },
  };
}

/** The limits of one model. @param {readonly StatusLimit[]} first @param {string} whose */
function modelView(first, whose) {
  const meters = make('div');
  const root = make('li', undefined, [make('p', 'id', [first[0]?.model ?? 'All models']), meters]);
  /** @type {Map<string, { root: HTMLElement, show(limit: StatusLimit, now: number): void }>} */
  const views = new Map();
  return {
    root,
    /** @param {readonly StatusLimit[]} limits @param {number} now */
    show(limits, now) {
      const named = limits.map((limit) => /** @type {const} */ ([titleOf(limit, ''), limit]));
      reconcile(meters, views, named, {
        now,
        make: () => {
          const meter = meterView(whose);
          return { root: meter.root, show: (limit, at) => meter.show(limit, titleOf(limit, ''), at) };
        },
      });
    },
  };
}

let panels = 0;

/** One key. @param {StatusKey} first */
function keyView(first) {
  const name = first.key === '' ? 'no key' : first.key;
  const whose = first.provider + ' ' + name;
  const tier = make('span');
  const word = make('p', 'word');
  const reason = make('p', 'small');
  const breaker = make('p', 'quiet small');
  const when = make('p', 'quiet small');
  const minute = meterView(whose);
  const day = meterView(whose);
  const panel = panelView(whose);
  const more = make('button', 'link', ['Details', make('span', 'unseen', [' of ' + whose])]);
  const root = make('li', 'key', [
    make('div', 'key-name', [make('h4', 'id', [name]), make('p', 'quiet small', [tier, more])]),
    make('div', 'state', [word, reason, breaker, when]),
    minute.root,
    day.root,
    panel.root,
  ]);
  let latest = { key: first, now: 0 };
  panel.root.id = 'panel-' + (panels += 1);
  more.type = 'button';
  mark(more, 'aria-controls', panel.root.id);
  mark(more, 'aria-expanded', 'false');
  more.addEventListener('click', () => {
    panel.root.hidden = !panel.root.hidden;
    mark(more, 'aria-expanded', String(!panel.root.hidden));
    panel.show(latest.key, latest.now);
  });
  return {
    root,
    /** @param {StatusKey} key @param {number} now */
    show(key, now) {
      latest = { key, now };
      const [tone, text] = standing(key);
      tell(word, tone, text);
      write(tier, key.tier + (key.sharedBy > 1 ? ', shared' : ''));
      reason.hidden = key.reason === undefined;
      write(reason, key.reason === undefined ? '' : capital(key.reason));
      write(breaker, BREAKERS[key.breaker]);
      when.hidden = key.ready;
      write(when, readyText(key, now));
      minute.show(key.minute, titleOf(key.minute, 'Minute'), now);
      day.show(key.day, titleOf(key.day, 'Day'), now);
      if (!panel.root.hidden) panel.show(key, now);
    },
  };
}

/** Each key with a name that lasts; masks may be alike. @param {readonly StatusKey[]} keys */
function namedKeys(keys) {
  const seen = new Map();
  return keys.map((key) => {
    const times = (seen.get(key.key) ?? 0) + 1;
    seen.set(key.key, times);
    return /** @type {const} */ ([key.key + ' ' + times, key]);
  });
}

/** One provider and its keys. @param {readonly StatusKey[]} first */
function providerView(first) {
  const ready = make('span', 'quiet small');
  const list = make('ul', 'card');
  const name = first[0]?.provider ?? '';
  const root = make('div', 'provider', [make('div', 'provider-head', [make('h3', undefined, [name]), ready]), list]);
  mark(list, 'role', 'list');
  /** @type {Map<string, ReturnType<typeof keyView>>} */
  const views = new Map();
  return {
    root,
    /** @param {readonly StatusKey[]} keys @param {number} now */
    show(keys, now) {
      write(ready, keys.filter((key) => key.ready).length + ' of ' + keys.length + ' ready');
      reconcile(list, views, namedKeys(keys), { make: keyView, now });
    },
  };
}

/** @type {Map<string, ReturnType<typeof providerView>>} */
const providers = new Map();

/** @param {readonly StatusKey[]} keys @param {number} now */
function showKeys(keys, now) {
  const groups = new Map();
  for (const key of keys) groups.set(key.provider, [...(groups.get(key.provider) ?? []), key]);
  reconcile(byId('providers'), providers, [...groups], { make: providerView, now });
  byId('no-keys').hidden = keys.length > 0;
}
`;
