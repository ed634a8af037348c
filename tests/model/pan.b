	switch (t->back) {
	default: Uerror("bad return move");
	case  0: goto R999; /* nothing to undo */

		 /* PROC :init: */

	case 3: // STATE 4
		;
		((P2 *)_this)->i = trpt->bup.ovals[2];
		now.cpus[ Index(now.loaded[ Index(((P2 *)_this)->i, 2) ], 2) ] = trpt->bup.ovals[1];
		now.loaded[ Index(((P2 *)_this)->i, 2) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 4: // STATE 10
		;
		((P2 *)_this)->i = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 6: // STATE 12
		;
		;
		delproc(0, now._nr_pr-1);
		;
		goto R999;

	case 7: // STATE 13
		;
		;
		delproc(0, now._nr_pr-1);
		;
		goto R999;

	case 8: // STATE 14
		;
		((P2 *)_this)->i = trpt->bup.oval;
		;
		goto R999;

	case 9: // STATE 21
		;
		p_restor(II);
		;
		;
		goto R999;

		 /* PROC cpu */

	case 10: // STATE 1
		;
		((P1 *)_this)->c = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 11: // STATE 3
		;
		((P1 *)_this)->n = trpt->bup.ovals[1];
		user[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 12: // STATE 6
		;
		((P1 *)_this)->n = trpt->bup.ovals[1];
		now.owes[ Index(((P1 *)_this)->n, 2) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;

	case 13: // STATE 18
		;
		((P1 *)_this)->c = trpt->bup.ovals[6];
		now.presented[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.ovals[5];
		now.word[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.ovals[4];
		((P1 *)_this)->all_here = trpt->bup.ovals[3];
		((P1 *)_this)->mine = trpt->bup.ovals[2];
		((P1 *)_this)->n = trpt->bup.ovals[1];
		((P1 *)_this)->f = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 7);
		goto R999;

	case 14: // STATE 21
		;
		user[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.oval;
		;
		goto R999;
;
		
	case 15: // STATE 22
		goto R999;

	case 16: // STATE 27
		;
		now.parked[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 18: // STATE 31
		;
		now.told[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.oval;
		;
		goto R999;
	case 19: // STATE 43
		sv_restor();
		goto R999;

	case 20: // STATE 55
		;
		user[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.oval;
		;
		goto R999;
;
		
	case 21: // STATE 56
		goto R999;
;
		;
		
	case 23: // STATE 61
		;
		now.word[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 24: // STATE 62
		;
		now.slot[ Index(((P1 *)_this)->c, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 25: // STATE 68
		;
		user[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.oval;
		;
		goto R999;
;
		
	case 26: // STATE 69
		goto R999;

	case 27: // STATE 73
		;
		now.slot[ Index(((P1 *)_this)->c, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 28: // STATE 74
		;
		now.tag[ Index(((P1 *)_this)->c, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 29: // STATE 75
		;
		now.tlb[ Index(((((P1 *)_this)->me*2)+((P1 *)_this)->c), 4) ] = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 31: // STATE 86
		;
		user[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.ovals[2];
		now.presented[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.ovals[1];
		((P1 *)_this)->f = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 32: // STATE 86
		;
		user[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.ovals[2];
		now.presented[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.ovals[1];
		((P1 *)_this)->f = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 33: // STATE 86
		;
		user[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.ovals[1];
		now.presented[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;
;
		
	case 34: // STATE 87
		goto R999;
;
		;
		
	case 36: // STATE 92
		;
		now.word[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 37: // STATE 93
		;
	/* 0 */	((P1 *)_this)->f = trpt->bup.oval;
		;
		;
		goto R999;

	case 38: // STATE 94
		;
		now.tag[ Index(((P1 *)_this)->c, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 39: // STATE 95
		;
		now.slot[ Index(((P1 *)_this)->c, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 40: // STATE 111
		;
		user[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.ovals[2];
		now.presented[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.ovals[1];
		((P1 *)_this)->f = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 41: // STATE 111
		;
		user[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.ovals[2];
		now.presented[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.ovals[1];
		((P1 *)_this)->f = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 42: // STATE 111
		;
		user[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.ovals[1];
		now.presented[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;
;
		
	case 43: // STATE 112
		goto R999;

	case 44: // STATE 116
		;
		((P1 *)_this)->c = trpt->bup.oval;
		;
		goto R999;

	case 45: // STATE 118
		;
		((P1 *)_this)->c = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		
	case 48: // STATE 124
		;
		now.tag[ Index(((P1 *)_this)->c, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 49: // STATE 125
		;
		now.slot[ Index(((P1 *)_this)->c, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 50: // STATE 126
		;
		now.tlb[ Index(((((P1 *)_this)->me*2)+((P1 *)_this)->c), 4) ] = trpt->bup.oval;
		;
		goto R999;

	case 51: // STATE 127
		;
		((P1 *)_this)->mine = trpt->bup.oval;
		;
		goto R999;

	case 52: // STATE 129
		;
		now.list_lock[ Index(((P1 *)_this)->mine, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 53: // STATE 132
		;
		now.pte[ Index(((P1 *)_this)->c, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 54: // STATE 133
		;
		now.list_lock[ Index(((P1 *)_this)->mine, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 55: // STATE 135
		;
		((P1 *)_this)->mine = trpt->bup.oval;
		;
		goto R999;

	case 56: // STATE 141
		;
		now.list_lock[ Index(((P1 *)_this)->f, 2) ] = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 58: // STATE 145
		;
		now.old_bytes[ Index(((P1 *)_this)->f, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 59: // STATE 146
		;
		now.dirty[ Index(((P1 *)_this)->f, 2) ] = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 61: // STATE 152
		;
		now.word[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 62: // STATE 153
		;
		now.pte[ Index(((P1 *)_this)->c, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 63: // STATE 154
		;
		now.tag[ Index(((P1 *)_this)->c, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 64: // STATE 155
		;
		now.slot[ Index(((P1 *)_this)->c, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 65: // STATE 159
		;
		now.list_lock[ Index(((P1 *)_this)->f, 2) ] = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 67: // STATE 165
		;
		waits[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.ovals[2];
		now.next_ticket = trpt->bup.ovals[1];
		((P1 *)_this)->mine = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 68: // STATE 169
		;
		((P1 *)_this)->mine = trpt->bup.ovals[2];
		waits[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.ovals[1];
	/* 0 */	((P1 *)_this)->mine = trpt->bup.ovals[0];
		;
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;
;
		;
		
	case 70: // STATE 174
		;
		now.parked[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 72: // STATE 178
		;
		now.told[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.oval;
		;
		goto R999;
	case 73: // STATE 190
		sv_restor();
		goto R999;

	case 74: // STATE 205
		;
		now.stop = trpt->bup.oval;
		;
		goto R999;

	case 75: // STATE 206
		;
		((P1 *)_this)->n = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		
	case 78: // STATE 209
		;
		((P1 *)_this)->n = trpt->bup.oval;
		;
		goto R999;

	case 79: // STATE 211
		;
		((P1 *)_this)->n = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		
	case 82: // STATE 219
		;
		now.tag[ Index(((P1 *)_this)->c, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 83: // STATE 220
		;
		now.slot[ Index(((P1 *)_this)->c, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 84: // STATE 221
		;
		now.tlb[ Index(((((P1 *)_this)->me*2)+((P1 *)_this)->c), 4) ] = trpt->bup.oval;
		;
		goto R999;

	case 85: // STATE 222
		;
		((P1 *)_this)->mine = trpt->bup.oval;
		;
		goto R999;

	case 86: // STATE 224
		;
		now.list_lock[ Index(((P1 *)_this)->mine, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 87: // STATE 227
		;
		now.pte[ Index(((P1 *)_this)->c, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 88: // STATE 228
		;
		now.list_lock[ Index(((P1 *)_this)->mine, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 89: // STATE 230
		;
		((P1 *)_this)->mine = trpt->bup.oval;
		;
		goto R999;

	case 90: // STATE 236
		;
		now.list_lock[ Index(((P1 *)_this)->f, 2) ] = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 92: // STATE 240
		;
		now.old_bytes[ Index(((P1 *)_this)->f, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 93: // STATE 241
		;
		now.dirty[ Index(((P1 *)_this)->f, 2) ] = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 95: // STATE 247
		;
		now.word[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 96: // STATE 248
		;
		now.pte[ Index(((P1 *)_this)->c, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 97: // STATE 249
		;
		now.tag[ Index(((P1 *)_this)->c, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 98: // STATE 250
		;
		now.slot[ Index(((P1 *)_this)->c, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 99: // STATE 254
		;
		now.list_lock[ Index(((P1 *)_this)->f, 2) ] = trpt->bup.oval;
		;
		goto R999;
	case 100: // STATE 270
		sv_restor();
		goto R999;
	case 101: // STATE 283
		sv_restor();
		goto R999;

	case 102: // STATE 284
		;
		now.now_serving = trpt->bup.oval;
		;
		goto R999;

	case 103: // STATE 298
		;
		user[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.ovals[2];
		now.presented[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.ovals[1];
		((P1 *)_this)->f = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 104: // STATE 298
		;
		user[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.ovals[2];
		now.presented[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.ovals[1];
		((P1 *)_this)->f = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 105: // STATE 298
		;
		user[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.ovals[1];
		now.presented[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;
;
		
	case 106: // STATE 299
		goto R999;

	case 107: // STATE 304
		;
		now.list_lock[ Index(((P1 *)_this)->f, 2) ] = trpt->bup.oval;
		;
		goto R999;
;
		;
			case 109: // STATE 319
		sv_restor();
		goto R999;

	case 110: // STATE 320
		;
	/* 0 */	((P1 *)_this)->all_here = trpt->bup.oval;
		;
		;
		goto R999;
	case 111: // STATE 335
		sv_restor();
		goto R999;

	case 112: // STATE 337
		;
		now.list_lock[ Index(((P1 *)_this)->f, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 113: // STATE 339
		;
		((P1 *)_this)->c = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 115: // STATE 341
		;
		now.tag[ Index(((P1 *)_this)->c, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 116: // STATE 342
		;
		now.slot[ Index(((P1 *)_this)->c, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 117: // STATE 344
		;
		now.list_lock[ Index(((P1 *)_this)->f, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 118: // STATE 347
		;
		now.pte[ Index(((P1 *)_this)->c, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 119: // STATE 348
		;
		now.list_lock[ Index(((P1 *)_this)->f, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 120: // STATE 350
		;
		((P1 *)_this)->c = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 122: // STATE 352
		;
		((P1 *)_this)->c = trpt->bup.oval;
		;
		goto R999;

	case 123: // STATE 358
		;
		((P1 *)_this)->c = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;
	case 124: // STATE 370
		sv_restor();
		goto R999;
	case 125: // STATE 435
		sv_restor();
		goto R999;

	case 126: // STATE 437
		;
	/* 0 */	((P1 *)_this)->all_here = trpt->bup.oval;
		;
		;
		goto R999;

	case 127: // STATE 438
		;
		now.list_lock[ Index(((P1 *)_this)->f, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 128: // STATE 442
		;
		waits[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.ovals[2];
		now.next_ticket = trpt->bup.ovals[1];
		((P1 *)_this)->mine = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 129: // STATE 446
		;
		((P1 *)_this)->mine = trpt->bup.ovals[2];
		waits[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.ovals[1];
	/* 0 */	((P1 *)_this)->mine = trpt->bup.ovals[0];
		;
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;
;
		;
		
	case 131: // STATE 451
		;
		now.parked[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 133: // STATE 455
		;
		now.told[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.oval;
		;
		goto R999;
	case 134: // STATE 467
		sv_restor();
		goto R999;

	case 135: // STATE 482
		;
		now.stop = trpt->bup.oval;
		;
		goto R999;

	case 136: // STATE 483
		;
		((P1 *)_this)->n = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		
	case 139: // STATE 486
		;
		((P1 *)_this)->n = trpt->bup.oval;
		;
		goto R999;

	case 140: // STATE 488
		;
		((P1 *)_this)->n = trpt->bup.oval;
		;
		goto R999;
;
		;
			case 142: // STATE 509
		sv_restor();
		goto R999;

	case 143: // STATE 511
		;
		((P1 *)_this)->c = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 145: // STATE 513
		;
		now.tag[ Index(((P1 *)_this)->c, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 146: // STATE 514
		;
		now.slot[ Index(((P1 *)_this)->c, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 147: // STATE 516
		;
		now.list_lock[ Index(((P1 *)_this)->f, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 148: // STATE 519
		;
		now.pte[ Index(((P1 *)_this)->c, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 149: // STATE 520
		;
		now.list_lock[ Index(((P1 *)_this)->f, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 150: // STATE 522
		;
		((P1 *)_this)->c = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 152: // STATE 524
		;
		((P1 *)_this)->c = trpt->bup.oval;
		;
		goto R999;

	case 153: // STATE 530
		;
		((P1 *)_this)->c = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;
	case 154: // STATE 542
		sv_restor();
		goto R999;
	case 155: // STATE 554
		sv_restor();
		goto R999;
	case 156: // STATE 619
		sv_restor();
		goto R999;
	case 157: // STATE 632
		sv_restor();
		goto R999;

	case 158: // STATE 633
		;
		now.now_serving = trpt->bup.oval;
		;
		goto R999;
	case 159: // STATE 648
		sv_restor();
		goto R999;

	case 160: // STATE 649
		;
		now.now_serving = trpt->bup.oval;
		;
		goto R999;

	case 161: // STATE 654
		;
		now.list_lock[ Index(((P1 *)_this)->f, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 162: // STATE 659
		;
		now.list_lock[ Index(((P1 *)_this)->f, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 163: // STATE 664
		;
		user[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.oval;
		;
		goto R999;
;
		
	case 164: // STATE 665
		goto R999;

	case 165: // STATE 669
		;
		((P1 *)_this)->f = trpt->bup.oval;
		;
		goto R999;

	case 166: // STATE 671
		;
		((P1 *)_this)->f = trpt->bup.oval;
		;
		goto R999;

	case 167: // STATE 676
		;
		now.owner[ Index(((P1 *)_this)->f, 2) ] = trpt->bup.oval;
		;
		goto R999;
;
		
	case 168: // STATE 679
		goto R999;

	case 169: // STATE 683
		;
		user[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.oval;
		;
		goto R999;
;
		
	case 170: // STATE 684
		goto R999;

	case 171: // STATE 688
		;
		((P1 *)_this)->f = trpt->bup.oval;
		;
		goto R999;

	case 172: // STATE 690
		;
		((P1 *)_this)->f = trpt->bup.oval;
		;
		goto R999;

	case 173: // STATE 696
		;
		waits[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.ovals[2];
		now.next_ticket = trpt->bup.ovals[1];
		((P1 *)_this)->mine = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;

	case 174: // STATE 700
		;
		((P1 *)_this)->mine = trpt->bup.ovals[2];
		waits[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.ovals[1];
	/* 0 */	((P1 *)_this)->mine = trpt->bup.ovals[0];
		;
		;
		ungrab_ints(trpt->bup.ovals, 3);
		goto R999;
;
		;
		
	case 176: // STATE 705
		;
		now.parked[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 178: // STATE 709
		;
		now.told[ Index(((P1 *)_this)->me, 2) ] = trpt->bup.oval;
		;
		goto R999;
	case 179: // STATE 721
		sv_restor();
		goto R999;

	case 180: // STATE 736
		;
		now.stop = trpt->bup.oval;
		;
		goto R999;

	case 181: // STATE 737
		;
		((P1 *)_this)->n = trpt->bup.oval;
		;
		goto R999;
;
		;
		;
		;
		
	case 184: // STATE 740
		;
		((P1 *)_this)->n = trpt->bup.oval;
		;
		goto R999;

	case 185: // STATE 742
		;
		((P1 *)_this)->n = trpt->bup.oval;
		;
		goto R999;
;
		;
			case 187: // STATE 763
		sv_restor();
		goto R999;

	case 188: // STATE 765
		;
		((P1 *)_this)->c = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 190: // STATE 767
		;
		now.tag[ Index(((P1 *)_this)->c, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 191: // STATE 768
		;
		now.slot[ Index(((P1 *)_this)->c, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 192: // STATE 770
		;
		now.list_lock[ Index(((P1 *)_this)->f, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 193: // STATE 773
		;
		now.pte[ Index(((P1 *)_this)->c, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 194: // STATE 774
		;
		now.list_lock[ Index(((P1 *)_this)->f, 2) ] = trpt->bup.oval;
		;
		goto R999;

	case 195: // STATE 776
		;
		((P1 *)_this)->c = trpt->bup.oval;
		;
		goto R999;
;
		;
		
	case 197: // STATE 778
		;
		((P1 *)_this)->c = trpt->bup.oval;
		;
		goto R999;

	case 198: // STATE 784
		;
		((P1 *)_this)->c = trpt->bup.ovals[0];
		;
		ungrab_ints(trpt->bup.ovals, 2);
		goto R999;
	case 199: // STATE 796
		sv_restor();
		goto R999;
	case 200: // STATE 808
		sv_restor();
		goto R999;
	case 201: // STATE 873
		sv_restor();
		goto R999;
	case 202: // STATE 886
		sv_restor();
		goto R999;

	case 203: // STATE 887
		;
		now.now_serving = trpt->bup.oval;
		;
		goto R999;
	case 204: // STATE 902
		sv_restor();
		goto R999;

	case 205: // STATE 903
		;
		now.now_serving = trpt->bup.oval;
		;
		goto R999;

		 /* PROC walker */

	case 206: // STATE 2
		;
		now.tlb[ Index(((((P0 *)_this)->me*2)+now.loaded[ Index(((P0 *)_this)->me, 2) ]), 4) ] = trpt->bup.oval;
		;
		goto R999;

	case 207: // STATE 7
		;
		p_restor(II);
		;
		;
		goto R999;
	}

