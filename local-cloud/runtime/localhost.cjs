// Makes `<bucket>.localhost` resolve to this machine, as RFC 6761 wants, also where the system's resolver does not.
'use strict';
const dns = require('node:dns');
const lookup = dns.lookup;

dns.lookup = (hostname, options, callback) =>
  lookup(/\.localhost\.?$/.test(hostname) ? 'localhost' : hostname, options, callback);
