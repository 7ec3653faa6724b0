import { packFolder } from './commit.ts';
import { entriesOfUpper, type Upper } from './upper.ts';
import { serve } from './workers.ts';

/** Worker thread: the entries of an overlay's upper directory, and the layer they make. */
serve('commit-worker', async (upper: Upper) => packFolder(upper.folder, entriesOfUpper(upper)));
